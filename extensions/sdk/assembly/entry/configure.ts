import { Buffer, Status } from "../abi/codes";
import * as host from "../abi/host";
import { bufferOut, firstOut, secondOut } from "../abi/result";
import { release } from "../arena";
import { Bytes } from "../bytes";
import { pluginAt } from "../contexts";
import { defineCounters } from "../counter";
import { readLogLevel } from "../log";

/** The plugin's configuration stands ready; 0 refuses it. */
export function proxy_on_configure(root: u32, size: u32): u32 {
  readLogLevel();
  defineCounters();
  const plugin = pluginAt(root);
  const isAccepted = plugin != null && plugin.configure(pluginConfiguration(size));
  release();
  return isAccepted ? 1 : 0;
}

function pluginConfiguration(size: u32): Bytes {
  const status = host.proxy_get_buffer_bytes(
    Buffer.PluginConfiguration, 0, size, firstOut(), secondOut(),
  );
  return status == Status.Ok ? bufferOut() : Bytes.view(0, 0);
}
