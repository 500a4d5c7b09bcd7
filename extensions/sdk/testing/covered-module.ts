// Whoever runs tests, and test files in processes of their own, agree here on what is covered.

/**
 * The plugin's folder, and the module that tests start instead of a release. Unset, nothing is
 * counted.
 */
export const COVERED_FOLDER = "WEFT_COVERED_FOLDER";
export const COVERED_MODULE = "WEFT_COVERED_MODULE";

/** What each test file leaves beside that module: the runs of blocks, function by function. */
export const RUNS_FILES = "*.runs.json";
export type Runs = readonly (readonly number[])[];
