import assert from 'node:assert/strict'
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
