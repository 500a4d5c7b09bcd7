import { FractionalPercent_DenominatorType as Denominator } from "@weft/proto/envoy/type/v3/percent_pb.ts";

/** A share in percent, to a ten-thousandth of one. */
export function fraction(percent: number): { numerator: number; denominator: Denominator } {
  const share = Math.min(Math.max(percent, 0), 100);
  return { numerator: Math.round(share * 10_000), denominator: Denominator.MILLION };
}
