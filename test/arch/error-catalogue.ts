/** The catalogue of errors, its page and the code say the same: no code on only one side, none that nothing ever says. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { CATALOGUE } from '#shared/errors/catalogue.ts'
import type { ErrorEntry } from '#shared/errors/catalogue.ts'
import { errorsPage } from '#shared/errors/errors-page.ts'

import type { Problem, Report } from './report.ts'
import { readSources } from './repository.ts'

const PAGE = 'shared/errors/ERRORS.md'
const NOT_A_USE = ['shared/errors/', 'test/']

export async function checkErrorCatalogue(
  root: string,
  catalogue: Readonly<Record<string, ErrorEntry>> = CATALOGUE,
): Promise<Report> {
  const problems: Problem[] = []
  const page = await readFile(join(root, PAGE), 'utf8').catch(() => '')
  const onPage = new Set([...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1] ?? ''))
  const codes = Object.keys(catalogue)
  for (const code of codes) if (!onPage.has(code)) problems.push({ where: PAGE, what: `lacks ${code}` })
  for (const code of onPage)
    if (!codes.includes(code)) problems.push({ where: PAGE, what: `names ${code}, which is no code` })
  if (problems.length === 0 && page !== errorsPage(catalogue)) {
    problems.push({ where: PAGE, what: 'is not what `node shared/errors/errors-page.ts` writes' })
  }

  const sources = await readSources(root, '.ts', '.tsx')
  const product = sources.filter(({ path }) => !NOT_A_USE.some((folder) => path.startsWith(folder)))
  for (const code of codes) {
    const word = new RegExp(`['"\`]${code}['"\`]`)
    if (!product.some(({ text }) => word.test(text))) {
      problems.push({ where: 'shared/errors/catalogue.ts', what: `${code} is said nowhere` })
    }
  }
  return { problems, note: `${codes.length} codes` }
}
