// What the transform reads at compile time; nothing of it is left at run time. The functions are
// there to be imported, and their types are for editors: to the compiler `any` is no type, but it
// never comes here.

/** Makes this class the plugin's filter or background, under this root id. */
export function filter(_rootId: string): any {}

/** Makes a class readable from JSON: each field is a setting of its name and type. */
export function config(_class: any): any {}

/** The least value of a number; the least length of a text, an array or a map. */
export function min(_least: f64): any {}

/** The greatest value of a number; the greatest length of a text, an array or a map. */
export function max(_greatest: f64): any {}

/** The JSON Schema of a class that reads itself by `read(json: JsonReader): void`. */
export function schema(_text: string): any {}
