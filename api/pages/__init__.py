"""What people look at: a module a page, drawn on the server from ``templates/``.

Each page is a GET URL that answers the same to whoever may see it, readable without scripts, under
a strict Content-Security-Policy. ``visitor.py`` says who looks, ``shell.py`` draws, ``tables.py``
and ``charts.py`` are what pages are made of, ``forms.py`` guards what changes something.
"""

from api.pages.path_numbers import known_in_paths

known_in_paths()
