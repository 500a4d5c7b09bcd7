import { expect, test } from "vitest";
import { createReport } from "./finding.ts";
import { checkJsonLogFormat, checkLogFormat } from "./log-format.ts";

const field = "accessLogFormat";

/** What is said of a format. */
function told(format: unknown): string[] {
  const source = { path: "a.yaml", subject: "", at: { line: 1, column: 1 }, places: new Map() };
  const report = createReport(source);
  if (typeof format === "string") checkLogFormat(format, { report, field });
  else checkJsonLogFormat(format, { report, field });
  return report.findings.map(({ message, help }) => `${message} (${help})`);
}

test.each([
  "",
  "no command",
  "100%%",
  "%%BOGUS%%",
  "%PROTOCOL%%DURATION%",
  "%PROTOCOL()%",
  "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  "%REQ(A):10%",
  "%REQ(%)%",
  "%START_TIME(%Y-%m-%dT%H:%M:%S.%3f(x))%",
  "%START_TIME%",
  "%REQ(A):18446744073709551615%",
])("%j is a format", (format) => {
  expect(told(format)).toEqual([]);
});

const form =
  "write %OPERATOR%, %OPERATOR(PARAMETERS)% or %OPERATOR(PARAMETERS):LENGTH%; " +
  "%% stands for a percent sign";

test.each([
  ["%", "% is no command of an access log", form],
  ["100% of it", "% of it is no command of an access log", form],
  ["%PROTOCOL% %REQ(", "%REQ( is no command of an access log", form],
  ["%REQ(A\nB)%", "%REQ(A\nB)% is no command of an access log", form],
  ["%REQ(A):x%", "%REQ(A):x% is no command of an access log", form],
  ["%REQ(A):-1%", "%REQ(A):-1% is no command of an access log", form],
  ["%protocol%", "%protocol% is no command of an access log", form],
  [
    "%RESPONSE_COD%",
    "%RESPONSE_COD%: Envoy has no command operator RESPONSE_COD",
    "did you mean `RESPONSE_CODE`?",
  ],
  ["%REQ%", "%REQ%: REQ requires parameters", "write %REQ(…)%"],
  ["%REQ():3%", "%REQ():3%: REQ requires parameters", "write %REQ(…)%"],
  ["%PROTOCOL(x)%", "%PROTOCOL(x)%: PROTOCOL takes no parameters", "write %PROTOCOL%"],
  [
    "%PROTOCOL:3%",
    "%PROTOCOL:3%: PROTOCOL takes no length",
    "write a value that the field can have",
  ],
  [
    "%REQ(A):18446744073709551616%",
    "%REQ(A):18446744073709551616%: the length is more than 18446744073709551615",
    "write a value that the field can have",
  ],
])("%j is refused", (format, message, help) => {
  expect(told(format)).toEqual([`${message} (${help})`]);
});

test("a long fault is cut", () => {
  expect(told(`%${"A".repeat(500)}`)).toEqual([
    `%${"A".repeat(39)}… is no command of an access log (${form})`,
  ]);
});

test("texts of a JSON format are checked wherever they stand, and keys are not", () => {
  expect(told({ "%BOGUS%": [1, null, { a: "%PROTOCOL%" }] })).toEqual([]);
  expect(told({ a: [1, null, { b: "%REQ%" }] })).toEqual([
    "%REQ%: REQ requires parameters (write %REQ(…)%)",
  ]);
});

test("a JSON format may be nested, but not without end", () => {
  const nested = (depth: number): unknown => (depth === 0 ? "%REQ%" : { a: nested(depth - 1) });
  expect(told(nested(16))).toEqual(["%REQ%: REQ requires parameters (write %REQ(…)%)"]);
  expect(told(JSON.parse("[".repeat(50_000) + "]".repeat(50_000)))).toEqual([
    "the format is nested more than 16 deep (write a value that the field can have)",
  ]);
});
