/**
 * A headless Chromium for a test: `const { browser, close } = await openBrowser()`. Where there is none the test, or with
 * it in `before` the suite, is skipped and says so.
 */
import { rm } from 'node:fs/promises'

import { chromium } from 'playwright-core'
import type { BrowserContext } from 'playwright-core'

import { findChromium } from '#deploy/provision/chromium.ts'

import { hold } from './leaks.ts'
import { scratchFolder } from './scratch.ts'
import { skip } from './suite.ts'

const ARGUMENTS = [
  '--no-sandbox', // as root it does not start with one
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface TestBrowser {
  /** Has a profile of its own; make pages with `newPage`. */
  readonly browser: BrowserContext
  readonly close: () => Promise<void>
}

export async function openBrowser(): Promise<TestBrowser> {
  const found = await findChromium()
  if ('problem' in found) skip(`no browser: ${found.problem}`)
  const profile = await scratchFolder('chromium')
  const release = hold('browser', profile)
  try {
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: found.path,
      headless: true,
      args: ARGUMENTS,
    })
    return {
      browser,
      async close() {
        await browser.close()
        await rm(profile, { recursive: true, force: true })
        release()
      },
    }
  } catch (thrown) {
    release()
    throw thrown
  }
}
