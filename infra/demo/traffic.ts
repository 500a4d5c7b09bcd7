import { setTimeout as sleep } from "node:timers/promises";
import { get } from "./story.ts";

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Which version of reviews answered; undefined where it did not. */
  readonly reviews: string | undefined;
  readonly detailsStatus: number | undefined;
  /** Whether the reviews came with stars; undefined where they did not come. */
  readonly stars: boolean | undefined;
}

/** Asks the gateway for the product page. */
export async function getPage(
  gatewayUrl: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Page> {
  const response = await get(`${gatewayUrl}/productpage`, headers);
  try {
    const page = JSON.parse(response.body) as {
      details: { status: number };
      reviews: { status: number; body: { version?: string; stars?: { color?: string } } };
    };
    return {
      status: response.status,
      headers: response.headers,
      reviews: page.reviews.status === 200 ? page.reviews.body.version : undefined,
      detailsStatus: page.details.status,
      stars: page.reviews.status === 200 ? page.reviews.body.stars?.color !== undefined : undefined,
    };
  } catch {
    // Not the page, but an answer of the mesh itself, such as "no healthy upstream".
    return {
      status: response.status,
      headers: response.headers,
      reviews: undefined,
      detailsStatus: undefined,
      stars: undefined,
    };
  }
}

/** Asks `count` times, a few at once, and counts which version of reviews answered. */
export async function countVersions(
  gatewayUrl: string,
  count: number,
): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { reviews = "none" } = await getPage(gatewayUrl);
      seen.set(reviews, (seen.get(reviews) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return seen;
}

export interface Load extends AsyncDisposable {
  readonly ok: number;
  readonly failed: number;
  /** What failed looked like, a few of them. */
  readonly samples: readonly string[];
}

/** Asks for the page again and again until disposed, and counts what is not a whole page. */
export function startLoad(gatewayUrl: string, pauseMs = 20): Load {
  const samples: string[] = [];
  let [ok, failed, stopped] = [0, 0, false];
  const loop = (async () => {
    while (!stopped) {
      const page = await getPage(gatewayUrl);
      if (page.status === 200 && page.reviews !== undefined && page.detailsStatus === 200) ok++;
      else {
        failed++;
        if (samples.length < 5) samples.push(JSON.stringify(page));
      }
      await sleep(pauseMs);
    }
  })();
  return {
    get ok() {
      return ok;
    },
    get failed() {
      return failed;
    },
    samples,
    async [Symbol.asyncDispose]() {
      stopped = true;
      await loop;
    },
  };
}
