export function noMisusedPromises(work: () => Promise<boolean>): number {
  return work() ? 1 : 2
}
