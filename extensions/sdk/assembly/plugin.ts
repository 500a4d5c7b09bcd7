import { Status } from "./abi/codes";
import * as host from "./abi/host";
import { Bytes } from "./bytes";
import { Stream } from "./stream";

/** Objects put aside for streams to come: what a busy moment leaves behind is not kept for good. */
const SPARES_MAX: i32 = 256;

/**
 * What stands for the configuration of those that have none. Global, because the compiler looks
 * for the default of a type parameter where a class derives, not where it is written.
 */
@final @global
export class NoConfig {}

/**
 * One configured plugin: what the host calls a root context. A VM can hold several, since plugins
 * of the same module may share it: state belongs in fields, not in module variables.
 */
export abstract class Plugin {
  /** The host's id of it. */
  id: u32 = 0;
  /** The plugin of this VM that was made before it. */
  older: Plugin | null = null;

  private spare: Stream | null = null;
  private spares: i32 = 0;

  /** The VM has started, with `vmConfigurationSize` bytes of configuration. False stops it. */
  onStart(_vmConfigurationSize: u32): bool {
    return true;
  }

  /**
   * Takes the configuration, which is bytes and gone when this returns. False refuses it: the
   * host keeps what ran before. Envoy calls this once per worker and twice more.
   */
  configure(_configuration: Bytes): bool {
    return this.onConfigure();
  }

  /** The configuration is read and stands in `config`. False refuses it. */
  onConfigure(): bool {
    return true;
  }

  /** Time has passed: as often as `tickEvery` says. */
  onTick(): void {}

  /** A queue that this plugin has registered has entries. */
  onQueueReady(_queue: u32): void {}

  /** A function of the host's calls back; its arguments stand in the call data. */
  onForeignFunction(_id: u32, _argumentsSize: u32): void {}

  /** The plugin is to end. False delays that until `done`. */
  onDone(): bool {
    return true;
  }

  /** Makes what stands for a stream or connection that begins; null leaves it alone. */
  createStream(): Stream | null {
    return null;
  }

  /** Puts the object of a stream that is gone aside for another one. */
  keepSpare(stream: Stream): void {
    if (this.spares >= SPARES_MAX) return;
    this.spares++;
    stream.older = this.spare;
    this.spare = stream;
  }

  /** Takes an object that was put aside, or answers null. */
  takeSpare(): Stream | null {
    const taken = this.spare;
    if (taken == null) return null;
    this.spares--;
    this.spare = taken.older;
    taken.older = null;
    return taken;
  }

  /** Has `onTick` called so often, from now on; 0 ends it. False if the host refuses. */
  tickEvery(ms: u32): bool {
    return host.proxy_set_tick_period_milliseconds(ms) == Status.Ok;
  }

  /** Ends a delay that `onDone` has asked for. */
  done(): bool {
    return host.proxy_done() == Status.Ok;
  }
}

/**
 * The part of a plugin that belongs to no stream: configuration, ticks, queues, background work.
 * A plugin that has a filter of the same root id is reached from it as `plugin`.
 */
export abstract class Background<C = NoConfig> extends Plugin {
  config!: C;
}
