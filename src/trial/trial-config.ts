// What the trial adds to its configuration by itself: a secret, and the leave to fetch feeds from the program's own origin, the
// one private address that is open to them.

import type { Config } from '../base/config.ts'
import { withSecret } from './secret.ts'

/** Outside the trial the configuration as given. Safe to repeat. */
export function completeConfig(config: Config): Config {
  if (!config.trial) return config
  const { host } = new URL(config.web.publicUrl)
  const { allowHosts } = config.feeds
  const feeds = allowHosts.includes(host) ? config.feeds : { ...config.feeds, allowHosts: [...allowHosts, host] }
  return { ...withSecret(config), feeds }
}
