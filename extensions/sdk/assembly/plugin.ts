import { Bytes } from "./bytes";
import { HttpFilter } from "./http-filter";

/**
 * One configured plugin: what the host calls a root context. A VM can hold several, since plugins
 * of the same module may share it: state belongs in fields, not in module variables.
 */
export abstract class Plugin {
  /**
   * Takes the configuration, which is bytes and gone when this returns. False refuses it: the
   * host keeps what ran before. Envoy calls this once per worker and twice more.
   */
  configure(_configuration: Bytes): bool {
    return true;
  }

  /** Makes the filter of a stream that begins. */
  abstract createHttpFilter(): HttpFilter;
}
