import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from '../../src/web/server.ts'
import { story } from '../support/house.ts'

story(
  'an unknown address gets a page that says so, and the API a problem, known or not, without a key',
  async (house) => {
    const page = await house.web.get('/nowhere').set('Accept', 'text/html')
    assert.equal(page.status, 404)
    assert.match(page.text, /There is nothing at \/nowhere/)
    const problem = await house.web.get('/api/v1/nowhere')
    assert.equal(problem.status, 401)
    assert.equal(problem.type, 'application/problem+json')
  },
)

story('no page allows inline script, and plain http promises no https', async (house) => {
  const { headers } = await house.web.get('/healthz')
  assert.doesNotMatch(headers['content-security-policy']!, /unsafe|upgrade-insecure/)
  assert.equal(headers['strict-transport-security'], undefined)
})

story(
  'who sends five megabytes hears that it is too much, rather than finding the connection broken',
  async (house) => {
    const server = createHttpServer(createServer(house.ctx)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const [path, type] of [
      ['/subscribe', 'application/x-www-form-urlencoded'],
      ['/api/v1/editions', 'application/json'],
    ] as const) {
      const socket = connect(port, '127.0.0.1')
      const head = `POST ${path} HTTP/1.1\r\nHost: news.example\r\nContent-Type: ${type}\r\nContent-Length: 5000000\r\nConnection: close\r\n\r\n`
      // A client that writes everything before it reads anything.
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.write(head)
        socket.write(Buffer.alloc(5_000_000, 'a'), () => resolve())
      })
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString('latin1'), path === '/subscribe' ? /^HTTP\/1\.1 413 / : /^HTTP\/1\.1 401 /)
      socket.destroy()
    }
    server.close()
  },
)
