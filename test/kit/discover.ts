/** Finds the test files of a run. */
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

/** Chaos and benches are run by their own commands; fixtures and offenders are the material of other tests. */
const NOT_HERE = new Set(['chaos', 'bench', 'fixtures', 'offenders', 'node_modules'])

/**
 * Absolute paths, sorted. With fragments: the files whose path under `root` holds at least one of them.
 *
 * @param without folders whose files are left out
 */
export async function findTestFiles(
  root: string,
  under: string,
  fragments: readonly string[] = [],
  without: readonly string[] = [],
): Promise<string[]> {
  const found: string[] = []
  const entries = await readdir(join(root, under), { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith('.test.ts')) continue
    const path = join(entry.parentPath, entry.name)
    const folders = relative(join(root, under), entry.parentPath).split(sep)
    if (folders.some((folder) => NOT_HERE.has(folder) || without.includes(folder))) continue
    const shown = relative(root, path)
    if (fragments.length > 0 && !fragments.some((fragment) => shown.includes(fragment))) continue
    found.push(path)
  }
  return found.toSorted()
}
