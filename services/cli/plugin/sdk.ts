import { WeftError } from "@weft/core/error";

/** Imports a part of the SDK. It comes with a checkout; a lone command line has none. */
export async function withSdk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const message = "the plugin SDK is not installed beside this command";
    throw new WeftError("unavailable", "cli.no_compiler", message, { cause });
  }
}

/** Does something with the SDK; what it throws about a plugin or a file becomes an error of ours. */
export async function translated<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { translateError } = await import("./translate-error.ts");
    throw translateError(error);
  }
}
