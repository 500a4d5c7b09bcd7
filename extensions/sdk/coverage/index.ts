// How much of a plugin its tests have run: counts of a host with `coverage`, put to the statements
// of the AssemblyScript sources, for Istanbul's tools and for people.

export {
  type CoveredModule,
  type CoveredTests,
  coverTests,
  writeCoverage,
} from "./cover-tests.ts";
export {
  type BranchEntry,
  type CoverageOptions,
  type FileCoverage,
  type FunctionEntry,
  type Istanbul,
  istanbulOf,
  type Location,
} from "./istanbul.ts";
export { type CoverageRow, coverageRows, type Share, sumOfRows } from "./summary.ts";
