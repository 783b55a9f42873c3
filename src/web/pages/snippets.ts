// What a site owner pastes to have the form on another page. The console and docs/embedding.md show the same. Pure.

import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { escapeHtml } from '../../base/escape-html.ts'

export type SnippetKind = 'script' | 'frame' | 'html'

export function snippets(config: Config): Record<SnippetKind, string> {
  const to = (path: string) => escapeHtml(addressOf(config, path))
  const name = escapeHtml(config.site.name)
  return {
    script: `<script src="${to('/embed.js')}" async></script>`,
    frame: `<iframe
  src="${to('/embed')}"
  title="Subscribe to ${name}"
  width="100%" height="640" frameborder="0" loading="lazy"></iframe>`,
    html: `<form action="${to('/subscribe')}" method="post" target="_blank">
  <label>E-mail address
    <input type="email" name="email" autocomplete="email" required maxlength="254">
  </label>
  <button>Subscribe</button>
</form>`,
  }
}
