/** The code that it fails with: `no error` when it does not fail, what was thrown where that has no code. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
    return 'no error'
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    return typeof code === 'string' ? code : `no code: ${String(error)}`
  }
}
