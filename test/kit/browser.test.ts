import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { openBrowser } from './browser.ts'
import { assert, suite } from './suite.ts'

suite('browser for a test', ({ test }) => {
  test(
    'runs the scripts of a page, and leaves nothing behind',
    async () => {
      const server = createServer((_request, response) => {
        response.setHeader('content-type', 'text/html')
        response.end('<p id="p">before</p><script>p.textContent = `after ${1 + 1}`</script>')
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { browser, close } = await openBrowser()
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      assert.is(await page.textContent('#p'), 'after 2')
      await close()
      server.close()
      server.closeAllConnections()
    },
    { deadlineMs: 360_000 },
  )
})
