export function noFloatingPromises(work: () => Promise<void>): void {
  work()
}
