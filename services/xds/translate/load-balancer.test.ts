import { create } from "@bufbuild/protobuf";
import { LoadBalancerSettingsSchema } from "@weft/proto/weft/mesh/v1/load_balancer_pb.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { balance } from "./load-balancer.ts";

/** What Envoy 1.40 takes without wedging its cluster discovery. */
const RING_SIZE_MAX = 8_388_608n;
const TABLE_SIZE_MAX = 5_000_011n;

test("no ring is larger than Envoy's largest", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (minimumRingSize) => {
      const value = {
        hashAlgorithm: { case: "ringHash", value: { minimumRingSize } },
      } as const;
      const settings = create(LoadBalancerSettingsSchema, {
        lbPolicy: { case: "consistentHash", value },
      });
      const { lbConfig } = balance(settings);
      const size = lbConfig?.case === "ringHashLbConfig" ? lbConfig.value.minimumRingSize : 0n;
      expect(size).toBeGreaterThan(0n);
      expect(size).toBeLessThanOrEqual(RING_SIZE_MAX);
    }),
  );
});

test("a Maglev table has the size that was asked for, or the next prime", () => {
  const sizeFor = (tableSize: bigint): bigint | undefined => {
    const value = { hashAlgorithm: { case: "maglev", value: { tableSize } } } as const;
    const settings = create(LoadBalancerSettingsSchema, {
      lbPolicy: { case: "consistentHash", value },
    });
    const { lbConfig } = balance(settings);
    return lbConfig?.case === "maglevLbConfig" ? lbConfig.value.tableSize : undefined;
  };
  expect([1n, 7n, 8n, 65_537n, 65_538n].map(sizeFor)).toEqual([2n, 7n, 11n, 65_537n, 65_539n]);
  expect([0n, TABLE_SIZE_MAX, 2n ** 63n].map(sizeFor)).toEqual([
    undefined,
    TABLE_SIZE_MAX,
    TABLE_SIZE_MAX,
  ]);
});
