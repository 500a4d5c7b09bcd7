/** Where each test file leaves how often every block of code has run; unset, nothing is counted. */
export const COVERAGE_FOLDER = "WEFT_PLUGIN_COVERAGE";

/** How often the blocks of a module have run in one test file. */
export interface RawCoverage {
  /** The plugin's folder. */
  readonly folder: string;
  /** Of each function that the module defines, the runs of its blocks. */
  readonly runs: readonly (readonly number[])[];
}
