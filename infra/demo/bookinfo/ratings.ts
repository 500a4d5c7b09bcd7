// How many stars each reviewer gave.

import { serve } from "./service.ts";

serve((path) => {
  const id = /^\/ratings\/(\d+)$/.exec(path)?.[1];
  if (id === undefined) return path === "/health" ? { status: 200, body: "healthy" } : undefined;
  return { status: 200, body: { id: Number(id), ratings: { reviewer1: 5, reviewer2: 4 } } };
});
