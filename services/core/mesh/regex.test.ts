import { expect, test } from "vitest";
import { regexProblem } from "./regex.ts";

test.each([
  "",
  ".*",
  "^(.*?;)?(user=jason)(;.*)?$",
  "/v[0-9]+/(?P<name>\\w+)",
  "(?i)mobile",
  "(?i:mobile|tablet)x*?",
  "[]a]",
  "[^]a-z\\d-]",
  "[[:alpha:]_-]+",
  "a{2,3}b{0,}c{4}",
  "a{,3}",
  "((a{10}){10}){10}",
  "(a{1000})(b{1000})|c{1000}",
  "((a{2}b{500}){2}){0,1}",
  "\\Qa.b(\\E",
  "\\pL\\p{Greek}\\x41\\x{1F600}",
  "[\\x00-\\x7f]",
  "\\.\\/\\-",
  "[\\p{Lu}\\P{^Old_Italic}\\p{Any}]",
])("%j is RE2", (pattern) => {
  expect(regexProblem(pattern)).toBeUndefined();
});

test.each([
  ["(?=a)b", "looks around with (?=, which RE2 does not know"],
  ["(?!a)b", "looks around with (?!, which RE2 does not know"],
  ["(?<=a)b", "looks around with (?<=, which RE2 does not know"],
  ["(?<!a)b", "looks around with (?<!, which RE2 does not know"],
  ["(a)\\1", "refers back with \\1, which RE2 does not know"],
  ["(?<n>a)\\k<n>", "has the escape \\k, which RE2 does not know"],
  ["(?>a)b", "has the group (?>a…, which RE2 does not know"],
  ["a\\Z", "has the escape \\Z, which RE2 does not know"],
  ["[\\B]", "has the escape \\B in a class, which RE2 does not know"],
  ["a++", "repeats nothing with +"],
  ["a**", "repeats nothing with *"],
  ["*", "repeats nothing with *"],
  ["(|*)", "repeats nothing with *"],
  ["(a", "leaves a group open"],
  ["a)", "closes a group that is not open"],
  ["[a", "leaves a class open"],
  ["[z-a]", "has the range z-a, which is none"],
  ["a{1001}", "repeats more than 1000 times: {1001}"],
  ["((a{100}){100}){2}", "repeats more than 1000 times, one count within another"],
  ["(x{1000}){2}", "repeats more than 1000 times, one count within another"],
  ["(a|b{3}(c{400}d)*e){3}", "repeats more than 1000 times, one count within another"],
  ["\\p{Nonsense}+", "has the class \\p{Nonsense}, which RE2 does not know"],
  ["[\\pQ]", "has the class \\pQ, which RE2 does not know"],
  ["a{3,2}", "repeats from more to fewer: {3,2}"],
  ["a\\", "ends with a backslash"],
  ["a".repeat(1025), "has 1025 characters, at most 1024"],
])("%j is not: it %s", (pattern, problem) => {
  expect(regexProblem(pattern)).toBe(problem);
});
