export async function awaitThenable(value: number): Promise<number> {
  return await value
}
