import { timestampMs } from "@bufbuild/protobuf/wkt";
import { CreateTokenResponseSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import { type Command, Option } from "commander";
import { connectApi, mutationOf } from "../api.ts";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  globalOptions,
  readDurationSeconds,
} from "../options.ts";
import { formatTime } from "../output.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";

export function registerToken(program: Command): void {
  const group = program.command("token").description("make one-time tokens for workloads");
  const command = group
    .command("create")
    .description("make a token with which one workload proves once who it is; shown only here")
    .requiredOption("--service-account <name>", "who the workload is")
    .addOption(
      new Option("--ttl <duration>", "how long it can be used, at most 24h")
        .argParser(readDurationSeconds)
        .default(3600, "1h"),
    )
    .option("-m, --message <why>", "why");
  addGlobalOptions(addOutputOption(command, ["table", "json", "yaml", "name"]));
  addHelpSections(command, {
    exits: [EXIT.no],
    examples: [
      "weft token create --service-account shop",
      "TOKEN=$(weft token create --service-account shop -n prod --ttl 10m -o name)",
    ],
  });
  command.action(() => createToken(command));
}

async function createToken(command: Command): Promise<void> {
  const options = globalOptions(command);
  const { serviceAccount, ttl, message, output } = command.opts() as {
    serviceAccount: string;
    ttl: number;
    message?: string;
    output: Form;
  };
  const namespace = options.namespace ?? "default";
  const response = await connectApi(options).createToken({
    namespace,
    serviceAccount,
    ttlSeconds: BigInt(ttl),
    mutation: mutationOf(options, {
      message: message ?? "",
      expectBase: undefined,
      dryRun: false,
    }),
  });
  const terminal = createTerminal();
  switch (output) {
    case "json":
      return printJson(terminal, CreateTokenResponseSchema, response);
    case "yaml":
      return printYaml(terminal, CreateTokenResponseSchema, response);
    default: {
      terminal.out(`${response.token}\n`);
      if (output === "name" || response.expiresAt === undefined) return;
      const until = formatTime(timestampMs(response.expiresAt));
      terminal.say(`works once, for ${namespace}/${serviceAccount}, until ${until}`);
    }
  }
}
