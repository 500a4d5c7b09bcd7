import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { assembleProbe, call, hex } from "../../../test/conformance/proxy-wasm/probe.ts";
import { count } from "./bench.ts";
import { type BudgetedExchange, compare, findingText, readBudget, withCosts } from "./budget.ts";
import { checkBudget } from "./check-budget.ts";
import { loadPlugin } from "./stage.ts";

const CONTENT = `{
  "exchanges": {
    "a plain request": {
      "request": { "headers": [[":method", "GET"], [":path", "/"]] },
      "costs": {
        "proxy_on_request_headers": { "fuel": 3, "hostcalls": 1 }
      }
    }
  }
}
`;

const [PLAIN] = readBudget(CONTENT, "budget.json").exchanges as [BudgetedExchange];

/** Asks the host so often. */
const asking = (times: number) => {
  const ask = call("proxy_get_header_map_value", 0, ":path", hex);
  return assembleProbe({ on: { proxy_on_request_headers: { steps: Array(times).fill(ask) } } });
};

const cost = (fuel: number, hostcalls: number) => {
  return { calls: 1, fuel, hostcalls, bytesCopied: 0, allocations: 0, pagesGrown: 0 };
};

test("a budget with slips is refused at the slip", () => {
  const wrong = CONTENT.replace('"hostcalls": 1', '"hostcalls": -1');
  expect(() => readBudget(wrong, "budget.json")).toThrow(
    'budget.json: exchanges["a plain request"].costs.proxy_on_request_headers.hostcalls is -1',
  );
});

test.each([
  ["as budgeted", { proxy_on_request_headers: cost(3, 1) }, []],
  [
    "over it",
    { proxy_on_request_headers: cost(4, 3) },
    [
      "over: on_request_headers takes 4 fuel, 3 budgeted (+33.3 %)",
      "over: on_request_headers takes 3 host calls, 1 budgeted (+200.0 %)",
    ],
  ],
  [
    "under it",
    { proxy_on_request_headers: cost(3, 0) },
    ["under: on_request_headers takes 0 host calls, 1 budgeted (-100.0 %)"],
  ],
  [
    "in callbacks that have no budget",
    { proxy_on_request_headers: cost(3, 1), proxy_on_log: cost(9, 1) },
    ["over: on_log has no budget yet: 9 fuel, 1 host call"],
  ],
])("an exchange may cost %s", (_, costs, told) => {
  const findings = compare(PLAIN, new Map(Object.entries(costs)));
  expect(findings.map((each) => `${each.isOver ? "over" : "under"}: ${findingText(each)}`)).toEqual(
    told,
  );
});

test("an exchange is counted once all that is made once is there", () => {
  const costs = count(loadPlugin(asking(2)), PLAIN.exchange);
  expect(costs.get("proxy_on_request_headers")).toMatchObject({ calls: 1, hostcalls: 4 });
  // Each answer is logged, which is a call as well.
  expect(count(loadPlugin(asking(2)), PLAIN.exchange)).toEqual(costs);
});

test("new costs take the place of the old, and all else stays", () => {
  const text = withCosts(
    CONTENT,
    new Map([["a plain request", new Map([["proxy_on_log", cost(9, 1)]])]]),
  );
  expect(text).toMatchInlineSnapshot(`
    "{
      "exchanges": {
        "a plain request": {
          "request": { "headers": [[":method", "GET"], [":path", "/"]] },
          "costs": { "proxy_on_log": { "fuel": 9, "hostcalls": 1 } }
        }
      }
    }
    "
  `);
  expect(readBudget(text, "budget.json").exchanges[0]?.exchange).toEqual(PLAIN.exchange);
});

test("checkBudget tells what is over, and how to go on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-budget-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const module = loadPlugin(asking(1));
  const costs = new Map([[PLAIN.name, count(module, PLAIN.exchange)]]);
  await writeFile(join(folder, "budget.json"), withCosts(CONTENT, costs));
  await expect(checkBudget(folder, asking(1))).resolves.toBeUndefined();
  await expect(checkBudget(folder, asking(2))).rejects.toThrow(
    /^weft-budget-\w+ is over its budget:\n {2}a plain request\n {4}on_request_headers takes .*\n/,
  );
});
