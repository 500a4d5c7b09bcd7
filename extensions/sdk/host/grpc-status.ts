/** Statuses of gRPC that proxies take those of HTTP for. */
const STATUSES: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const UNKNOWN = 2;

export const grpcStatusOf = (status: number): number => STATUSES[status] ?? UNKNOWN;
