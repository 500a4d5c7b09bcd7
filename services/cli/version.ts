/** The version of the program, of the API and of every package: they are released together. */
export const VERSION = "0.1.0";
