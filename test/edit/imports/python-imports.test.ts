import { describe, expect, it } from 'vitest'
import { changedPython } from '../../../src/edit/imports/python-imports.ts'
import { failure } from '../settings/failure.ts'

const add = (text: string, statement: string): string => changedPython(text, [{ add: statement }], 'a.py')
const remove = (text: string, said: string): string => changedPython(text, [{ remove: said }], 'a.py')

const FILE = `#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""What it is.

import nothing
"""
from __future__ import annotations

import os, sys  # both
import xml.dom
from typing import Any, Dict
from collections import (
    OrderedDict,
    deque,  # why
)
from long import one, \\
    two
try:
    import fast
except ImportError:
    fast = None
if TYPE_CHECKING:
    from shapes import Shape

from . import near
from .pack import (a as b, c)

text = f"{x["import"]} {{" + '''
import other
'''
def f(a=(1,
         2)):
    import late
    return os.path
`

describe('an import that is added', () => {
  it.each<[string, string, string]>([
    ['import os', '', ''],
    ['import fast', '', ''],
    ['from .pack import a as b', '', ''],
    ['from __future__ import annotations', '', ''],
    ['from typing import List', 'Any, Dict', 'Any, Dict, List'],
    ['from typing import Callable as C', 'Any, Dict', 'Any, Callable as C, Dict'],
    ['from collections import Counter', 'deque,  # why\n', 'deque,  # why\n    Counter,\n'],
    ['from collections import zed', 'deque,  # why\n', 'deque,  # why\n    zed,\n'],
    ['from long import three', '    two\n', '    two, three\n'],
    ['from .pack import d', '(a as b, c)', '(a as b, c, d)'],
    ['from . import far', 'import near', 'import near, far'],
    ['from .other import x', '(a as b, c)\n', '(a as b, c)\nfrom .other import x\n'],
    ['import json', '    two\n', '    two\nimport json\n'],
    ['import os.path', '# both\n', '# both\nimport os.path\n'],
    ['import xml.sax as s', 'import xml.dom\n', 'import xml.dom\nimport xml.sax as s\n'],
    ['from shapes import Shape', '    two\n', '    two\nfrom shapes import Shape\n'],
    ['import late', '    two\n', '    two\nimport late\n'],
    ['from __future__ import division', 'import annotations', 'import annotations, division'],
    ['import p; from q import (\n  r,\n  s,\n)', '    two\n', '    two\nimport p\nfrom q import r, s\n'],
  ])('%s', (statement, before, after) => {
    const once = add(FILE, statement)
    expect(once).toBe(FILE.replace(before, after))
    expect(add(once, statement)).toBe(once)
  })

  it('is the first, behind what speaks of the whole file', () => {
    expect(add('', 'import a')).toBe('import a\n')
    expect(add('x = 1\n', 'import a')).toBe('import a\n\nx = 1\n')
    expect(add('#!/bin/python\n# coding: latin-1\nx = 1\n', 'import a')).toBe(
      '#!/bin/python\n# coding: latin-1\nimport a\n\nx = 1\n',
    )
    expect(add('# Copyright\n# All of it\n\n# about x\nx = 1\n', 'import a')).toBe(
      '# Copyright\n# All of it\n\nimport a\n\n# about x\nx = 1\n',
    )
    expect(add('"""Doc."""\nx = 1\n', 'import a')).toBe('"""Doc."""\n\nimport a\n\nx = 1\n')
    expect(add("'''Doc.'''\r\n\r\n\r\nx = 1\r\n", 'import a')).toBe("'''Doc.'''\r\n\r\n\r\nimport a\r\n\r\nx = 1\r\n")
    expect(add('"""Doc."""', 'import a')).toBe('"""Doc."""\n\nimport a')
    expect(add('# only\n', 'import a')).toBe('# only\nimport a\n')
    expect(add('import b\n', 'from __future__ import a')).toBe('from __future__ import a\n\nimport b\n')
    expect(add('from __future__ import a\nx = 1\n', 'import b')).toBe('from __future__ import a\n\nimport b\nx = 1\n')
    expect(add('from .a import b\n', 'import c')).toBe('import c\n\nfrom .a import b\n')
  })

  it('is put among those before the first function', () => {
    expect(add('import a\n\ndef f(): pass\n\nimport z\n', 'import b')).toBe(
      'import a\nimport b\n\ndef f(): pass\n\nimport z\n',
    )
  })
})

describe('an import that is removed', () => {
  it.each<[string, string, string]>([
    ['import sys', 'os, sys', 'os'],
    ['import os', 'os, sys', 'sys'],
    ['import os, sys', 'import os, sys  # both\n', ''],
    ['import xml.dom', 'import xml.dom\n', ''],
    ['xml.dom', 'import xml.dom\n', ''],
    ['from typing import Any', 'Any, Dict', 'Dict'],
    ['typing', 'from typing import Any, Dict\n', ''],
    ['from collections import deque', '    deque,  # why\n', ''],
    ['from long import two', 'one, \\\n    two', 'one'],
    ['from .pack import a as b', '(a as b, c)', '(c)'],
    ['.pack', 'from .pack import (a as b, c)\n', ''],
  ])('%s', (said, before, after) => {
    expect(remove(FILE, said)).toBe(FILE.replace(before, after))
  })

  it('may share its line, or be the only one', () => {
    expect(remove('import a; import b; c()\n', 'a')).toBe('import b; c()\n')
    expect(remove('c(); import a\n', 'a')).toBe('c()\n')
    expect(remove('import a\n\nx = 1\n', 'a')).toBe('x = 1\n')
  })
})

describe('imports that cannot be changed', () => {
  it.each<[string, string, number, RegExp]>([
    ['x = (1,\n', 'import a', 1, /nothing closes/],
    ['x = 1\ny = "abc\n', 'import a', 2, /string without an end/],
    ['x = 1)\n', 'import a', 1, /closes nothing/],
    ["'''\n", 'import a', 1, /string without an end/],
    ['\nimport a as b\n', 'import b', 2, /b is imported from "a"/],
    ['import a\nfrom c import d as a\n', 'from x import a', 1, /a is imported/],
  ])('%j', async (text, statement, line, message) => {
    const error = await failure(() => add(text, statement))
    expect(error).toMatchObject({ code: 'INVALID', path: 'a.py', details: { line } })
    expect(error.message).toMatch(message)
  })

  it('are not there, or stand in a block', async () => {
    expect(await failure(() => remove(FILE, 'import zlib'))).toMatchObject({ code: 'INVALID' })
    expect(await failure(() => remove(FILE, 'late'))).toMatchObject({ code: 'INVALID' })
    expect(await failure(() => remove(FILE, 'import fast'))).toMatchObject({ code: 'INVALID', details: { line: 19 } })
  })

  it.each(['imports', 'import', 'from a import', 'from a import (b', 'import a.b c', 'x = 1', 'import a; f()'])(
    'are no imports: %s',
    async (said) => {
      expect(await failure(() => add(FILE, said))).toMatchObject({ code: 'INVALID', path: 'a.py' })
    },
  )
})
