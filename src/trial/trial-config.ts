// What the trial adds to its configuration: a secret, and permission to fetch feeds from the program's own origin, the only
// private address that is allowed.

import type { Config } from '../base/config.ts'
import { withSecret } from './secret.ts'

/** Outside the trial, returns the configuration unchanged. Safe to repeat. */
export function completeConfig(config: Config): Config {
  if (!config.trial) return config
  const { host } = new URL(config.web.publicUrl)
  const { allowHosts } = config.feeds
  const feeds = allowHosts.includes(host) ? config.feeds : { ...config.feeds, allowHosts: [...allowHosts, host] }
  return { ...withSecret(config), feeds }
}
