// Every path of every router, with methods that it doesn't have.

import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import request from 'supertest'
import { Mailbox } from '../../src/trial/mailbox.ts'
import { createServer } from '../../src/web/server.ts'
import { story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { routesOf } from '../support/routes.ts'

story('a page that has no such method answers 405 and names those that it has', async (house) => {
  await using folder = await fs.mkdtempDisposable(path.join(os.tmpdir(), 'broadsheet-methods-'))
  const web = { ...house.ctx, config: { ...house.config, trial: true }, mailbox: new Mailbox(folder.path) }
  const { cookie } = await openConsole(house)
  const { key } = await openApi(house)
  const agent = request(createServer(web))
  const routes = routesOf(web).filter((route) => route.path !== '/inbound/:provider')
  const matches = (pattern: string, address: string) =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`).test(address)
  let refused = 0
  for (const pattern of new Set(routes.map((route) => route.path))) {
    const address = pattern.replace(/:\w+/g, '1') || '/'
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      if (routes.some((route) => route.method === method && matches(route.path, address))) continue
      const answer = await agent[method](address)
        .set({ Host: 'news.example', Cookie: cookie, Authorization: `Bearer ${key}`, 'Sec-Fetch-Site': 'same-origin' })
        .set({ Accept: 'text/html' })
      const own = routes.filter((route) => route.path === pattern).map((route) => route.method.toUpperCase())
      assert.equal(answer.status, 405, `${method} ${address}`)
      const allowed = new Set(String(answer.headers['allow']).split(', '))
      assert.deepEqual(allowed, new Set(own.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : each))), address)
      refused++
    }
  }
  assert.ok(refused > 300, `${refused}`)
})

story('the doors of readers name their methods', async ({ web }) => {
  await web.delete('/subscribe').expect(405).expect('Allow', 'OPTIONS, POST, GET, HEAD')
  await web.post('/archive').expect(405).expect('Allow', 'GET, HEAD')
  await web.put('/theme.css').expect(405).expect('Allow', 'GET, HEAD')
  await web.post('/assets/broadsheet.css').expect(405)
  await web.delete('/nothing-here').expect(404)
  await web.options('/archive').expect(200).expect('Allow', /GET/)
})
