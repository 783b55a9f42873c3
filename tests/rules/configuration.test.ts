import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '../../src/base/config.ts'

test('all that is wrong with an environment is said at once', () => {
  const wrong = { PORT: 'http', SMTP_URL: 'ftp://relay', SECRET_KEY: 'short', DKIM_DOMAIN: 'news.example' }
  assert.throws(
    () => readConfig(wrong),
    (error) => {
      assert.ok(error instanceof ConfigError)
      const names = error.problems.map((problem) => problem.split(':')[0])
      for (const name of ['PORT', 'SMTP_URL', 'SECRET_KEY', 'DKIM_DOMAIN', 'PUBLIC_URL', 'MAIL_FROM', 'POSTAL_ADDRESS'])
        assert.ok(names.includes(name), name)
      return true
    },
  )
})
