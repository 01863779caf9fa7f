/** Services speak through `say`, which takes the audience from the event map: no caller decides who may hear it (I6). */
import type { Problem, Report } from './report.ts'
import { lineAt, readSources } from './repository.ts'

const EMIT = /\.emit\(/g

export async function checkSpokenEvents(root: string): Promise<Report> {
  const problems: Problem[] = []
  for (const { path, text } of await readSources(root, '.ts')) {
    if (!path.startsWith('services/')) continue
    for (const match of text.matchAll(EMIT))
      problems.push({ where: `${path}:${lineAt(text, match.index)}`, what: 'an event with an audience of its own' })
  }
  return { problems }
}
