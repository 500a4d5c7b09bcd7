/**
 * Envoy 1.40 itself dies of what the plugin has just done, with all that it serves. The host says
 * so instead.
 */
export class Died extends Error {
  override readonly name = "Died";
  readonly signal: string;
  constructor(signal: string, what: string) {
    super(`Envoy dies of ${what} (${signal})`);
    this.signal = signal;
  }
}
