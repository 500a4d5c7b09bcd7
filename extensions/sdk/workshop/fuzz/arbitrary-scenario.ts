import fc, { type Arbitrary } from "fast-check";
import { Module } from "../../host/index.ts";
import { type Exchange, isTcp } from "../exchange.ts";
import type { PluginModule } from "../stage.ts";
import { faultsOf, httpOf, tcpOf, upstreamsOf } from "./arbitrary-exchange.ts";
import { arbitraryOf, nearly } from "./arbitrary-json.ts";
import type { Dictionary } from "./dictionary.ts";
import { ORDER_MAX, type Scenario, STREAMS_MAX } from "./scenario.ts";

/** What is known of a plugin before anything is tried. */
export interface Knowledge {
  readonly plugin: PluginModule;
  readonly dictionary: Dictionary;
  /** The JSON Schema of its configuration; null where there is none. */
  readonly schema: unknown;
  /** Configurations that it takes, as its author says. */
  readonly examples: readonly unknown[];
  /** Exchanges that its author has written: they are tried as they are, too. */
  readonly exchanges: readonly Exchange[];
}

type Configuration = Pick<Exchange, "configuration" | "configurationBase64">;

/** Most are such as the plugin takes, or the rest would find nothing to do. */
export function scenarioOf(knowledge: Knowledge): Arbitrary<Scenario> {
  const { plugin, dictionary, exchanges } = knowledge;
  const stream = streamOf(knowledge);
  const calls = plugin.plain.imports
    .map(({ name }) => name)
    .filter((name) => name.startsWith("proxy_"));
  const made = fc.record({
    configuration: configurationOf(knowledge),
    upstreams: upstreamsOf(dictionary),
    faults: faultsOf(calls),
    streams: fc.array(stream, { minLength: 1, maxLength: STREAMS_MAX }),
    order: fc.array(fc.nat({ max: STREAMS_MAX - 1 }), { maxLength: ORDER_MAX }),
  });
  const scenarios = made.map(({ configuration, upstreams, faults, streams, order }): Scenario => {
    const [first, ...others] = streams as [Exchange, ...Exchange[]];
    const setting = {
      ...configuration,
      ...(Object.keys(upstreams).length === 0 ? {} : { upstreams }),
      ...(faults.length === 0 ? {} : { faults }),
    };
    const isAlone = others.length === 0;
    return { exchanges: [{ ...setting, ...first }, ...others], order: isAlone ? [] : order };
  });
  if (exchanges.length === 0) return scenarios;
  const told = fc.tuple(fc.constantFrom(...exchanges), faultsOf(calls), stream);
  return fc.oneof(
    { weight: 3, arbitrary: scenarios },
    // What the author has written, in worse weather or with another message.
    { weight: 1, arbitrary: told.map(([exchange, faults]) => lone({ ...exchange, faults })) },
    {
      weight: 1,
      arbitrary: told.map(([exchange, , other]) => {
        return isTcp(exchange) || isTcp(other) ? lone(exchange) : lone({ ...exchange, ...other });
      }),
    },
  );
}

function lone(exchange: Exchange): Scenario {
  return { exchanges: [exchange], order: [] };
}

const TCP = /^proxy_on_(new_connection|downstream_|upstream_)/;
const HTTP = /^proxy_on_(request|response)_/;

/** Streams of the kind that the plugin looks at. */
function streamOf({ plugin, dictionary }: Knowledge): Arbitrary<Exchange> {
  const exports = Module.exports(plugin.plain.module).map(({ name }) => name);
  const isTcpPlugin = exports.some((name) => TCP.test(name));
  const isHttpPlugin = exports.some((name) => HTTP.test(name));
  if (!isTcpPlugin) return httpOf(dictionary);
  if (!isHttpPlugin) return tcpOf(dictionary);
  return fc.oneof<Arbitrary<Exchange>[]>(httpOf(dictionary), tcpOf(dictionary));
}

function configurationOf({ schema, examples, dictionary }: Knowledge): Arbitrary<Configuration> {
  const told: Arbitrary<unknown> =
    examples.length === 0 ? fc.constant({}) : fc.constantFrom(...examples);
  const valid = schema === null ? told : arbitraryOf(schema, dictionary.words);
  const asText = (configuration: unknown): Configuration => ({ configuration });
  const text = fc.oneof(told, valid).map((value) => JSON.stringify(value));
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 8, arbitrary: told.map(asText) },
    { weight: 5, arbitrary: valid.map(asText) },
    { weight: 3, arbitrary: nearly(fc.oneof(told, valid)).map(asText) },
    { weight: 1, arbitrary: fc.tuple(text, fc.nat()).map(([json, at]) => asText(cut(json, at))) },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }).map(asText) },
    { weight: 1, arbitrary: fc.tuple(text, fc.nat(), fc.nat({ max: 255 })).map(damaged) },
  );
}

function cut(text: string, at: number): string {
  return text.slice(0, at % (text.length + 1));
}

/** The bytes of a text with one of them another, which UTF-8 may not survive. */
function damaged([text, at, byte]: readonly [string, number, number]): Configuration {
  const bytes = Buffer.from(text);
  bytes[at % Math.max(bytes.length, 1)] = byte;
  return { configurationBase64: bytes.toString("base64") };
}
