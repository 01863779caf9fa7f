import { readFile, readdir } from 'node:fs/promises'

import { assert, suite } from '#test/kit/suite.ts'
import { SAMPLES, hex, plainBytes } from './samples.ts'

const GOLDEN = new URL('../../../shared/wire/golden/v1/', import.meta.url)

/**
 * The bytes of wire version 1, written once and compared for ever: another process of another release must read them.
 * A difference here is a new wire version, never a new golden file.
 */
suite('wire version 1', ({ test }) => {
  for (const [name, sample] of Object.entries(SAMPLES)) {
    test(`${name}: the same bytes as ever, and the same meaning`, async () => {
      const golden = (await readFile(new URL(`${name}.hex`, GOLDEN), 'utf8')).replaceAll(/\s/g, '')
      assert.is(hex(sample.encode()), golden)
      assert.equal(plainBytes(sample.decode(Buffer.from(golden, 'hex'))), plainBytes(sample.value))
    })
  }

  test('every golden file has its sample', async () => {
    const files = (await readdir(GOLDEN)).map((file) => file.replace('.hex', ''))
    assert.equal(files.sort(), Object.keys(SAMPLES).sort())
  })
})
