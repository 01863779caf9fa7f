/**
 * Reads the imports of a source from its text. It relies on the formatter: a static import or export-from begins a line,
 * and names its source in single quotes. (TypeScript 7 has no API to ask.)
 */
import { posix } from 'node:path'

import { lineAt } from './repository.ts'
import type { SourceFile } from './repository.ts'

export interface Import {
  readonly from: string
  /** As written. */
  readonly specifier: string
  readonly line: number
  /** Gone at run time. */
  readonly typeOnly: boolean
  /** The file it means below the root, or undefined for a package or a built-in module. */
  readonly target: string | undefined
}

const FROM = /^(?:import|export)\b(\s+type\b)?[^'"`;]*?\bfrom\s+'([^'\n]+)'/gm
const BARE = /^import\s+'([^'\n]+)'/gm
const DYNAMIC = /^(?!\s*(?:\/\/|\*|\/\*)).*\bimport\(\s*'([^'\n]+)'/gm

export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = []
  const add = (specifier: string | undefined, offset: number, typeOnly: boolean): void => {
    if (specifier === undefined) return
    found.push({ from: path, specifier, line: lineAt(text, offset), typeOnly, target: targetOf(path, specifier) })
  }
  for (const match of text.matchAll(FROM)) add(match[2], match.index, match[1] !== undefined)
  for (const match of text.matchAll(BARE)) add(match[1], match.index, false)
  for (const match of text.matchAll(DYNAMIC)) add(match[1], match.index, false)
  return found
}

/** `@scope/name` or `name` of an outside package, without the path inside it. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier)
  if (specifier.startsWith('#')) return specifier.slice(1)
  return undefined
}
