/** The files of the repository as the checks see them: what is written by hand. */
import { readFile, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

const NOT_OURS = new Set(['node_modules', '.git', '.cache', '.waggle', 'dist', 'coverage'])
/** Offenders break the rules on purpose. Below an offender's own root they are what is looked at. */
const PLANTED = join('test', 'arch', 'offenders')

export interface SourceFile {
  /** Below the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** Files whose path ends with one of `endings`, sorted by path. */
export async function readSources(root: string, ...endings: readonly string[]): Promise<SourceFile[]> {
  const paths: string[] = []
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (!NOT_OURS.has(entry.name) && relative(root, path) !== PLANTED) await visit(path)
      } else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) {
        paths.push(path)
      }
    }
  }
  await visit(root)
  const files = paths.toSorted().map(async (path) => {
    return { path: relative(root, path).split(sep).join('/'), text: await readFile(path, 'utf8') }
  })
  return Promise.all(files)
}

/** Line number (from 1) of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
