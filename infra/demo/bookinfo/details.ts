// What is known of a book.

import { serve } from "./service.ts";

serve((path) => {
  const id = /^\/details\/(\d+)$/.exec(path)?.[1];
  if (id === undefined) return path === "/health" ? { status: 200, body: "healthy" } : undefined;
  return {
    status: 200,
    body: { id: Number(id), author: "William Shakespeare", year: 1595, pages: 200 },
  };
});
