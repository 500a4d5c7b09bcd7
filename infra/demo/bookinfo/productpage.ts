// The page of a book: what is known of it, and what people said.

import { call, serve } from "./service.ts";

serve(async (path, from) => {
  const id = /^\/(?:productpage|api\/v1\/products\/(\d+))$/.exec(path)?.[1] ?? "0";
  if (path === "/health") return { status: 200, body: "healthy" };
  if (!/^\/(productpage|api\/v1\/products(\/\d+)?)$/.test(path)) {
    return { status: 404, body: { error: "not found" } };
  }
  const [details, reviews] = await Promise.all([
    call(`http://details:9080/details/${id}`, from),
    call(`http://reviews:9080/reviews/${id}`, from),
  ]);
  return { status: 200, body: { id: Number(id), details, reviews } };
});
