"""A careers page that is empty until a browser has run its script."""

from __future__ import annotations

from html import escape

SCRIPT = """
const root = document.getElementById('root');
const name = document.title;
const foot = '<footer>© 2026 ' + name + '</footer>';
const path = location.pathname;
if (path.startsWith('/karriere/stelle/')) {
  fetch('/api/jobs/' + path.split('/').pop() + '.json').then(r => r.ok ? r.json() : null).then(job => {
    root.innerHTML = job
      ? '<main><h1>' + job.title + '</h1>' + job.html + '<a href="/bewerben">Jetzt bewerben</a></main>' + foot
      : '<main><h1>Hoppla</h1><p>Diese Stelle ist nicht mehr verfügbar.</p></main>' + foot;
  });
} else {
  fetch('/api/jobs.json').then(r => r.json()).then(jobs => {
    root.innerHTML = '<main><h1>Offene Stellen</h1><ul>' + jobs.map(job =>
      '<li><a href="' + job.path + '">' + job.title + '</a></li>').join('') + '</ul></main>' + foot;
  });
}
"""


def shell(name: str) -> bytes:
    """The page as it comes: the company's name in its title, and nothing else."""
    return (
        f'<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{escape(name)}</title></head>'
        '<body><div id="root"></div><script src="/karriere/app.js"></script></body></html>'
    ).encode()
