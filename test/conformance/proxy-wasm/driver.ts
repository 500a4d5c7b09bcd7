import type { Case } from "./case.ts";

/** The lines that a case shows in a host, by the case's name. */
export type Answers = ReadonlyMap<string, readonly string[]>;

/**
 * Runs cases in a host, and answers what each shows: what its plugins have said, then what client
 * and upstream have got. It is all that another host needs.
 */
export type Driver = (cases: readonly Case[]) => Promise<Answers>;
