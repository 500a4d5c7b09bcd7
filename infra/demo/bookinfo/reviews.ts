// What people said of a book. VERSION v1 shows no stars, v2 black ones, v3 red ones.

import { call, serve } from "./service.ts";

const version = process.env["VERSION"] ?? "v1";
const color = { v2: "black", v3: "red" }[version];

serve(async (path, from) => {
  const id = /^\/reviews\/(\d+)$/.exec(path)?.[1];
  if (id === undefined) return { status: path === "/health" ? 200 : 404, body: "healthy" };
  const reviews = [{ reviewer: "reviewer1" }, { reviewer: "reviewer2" }];
  if (color === undefined) return { status: 200, body: { id: Number(id), version, reviews } };
  const ratings = await call(`http://ratings:9080/ratings/${id}`, from);
  const stars = ratings.status === 200 ? { color, ratings: ratings.body } : { unavailable: true };
  return { status: 200, body: { id: Number(id), version, color, stars, reviews } };
});
