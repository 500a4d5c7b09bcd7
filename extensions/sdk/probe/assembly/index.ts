import { register } from "@weft/sdk/assembly";
import { ProbePlugin } from "./probe";

export {
  malloc,
  proxy_abi_version_0_2_1,
  proxy_on_context_create,
  proxy_on_delete,
  proxy_on_memory_allocate,
} from "@weft/sdk/assembly/entry/module";
export { proxy_on_configure } from "@weft/sdk/assembly/entry/configure";
export { proxy_on_request_headers } from "@weft/sdk/assembly/entry/request-headers";

register(() => new ProbePlugin());
