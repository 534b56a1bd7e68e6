"""`make template NAME=shop TO=../shop`: a project of one's own, without the pack's source.

It copies the files of this repository that a project owns (`files`), renames the package `project`
(`rename`), takes out what belongs to this repository alone and what was not asked for (`edits`,
`readme`), and compiles the locks (`locks`), with the pack's wheel in `wheels/` or a version from an
index. `options` refuses what cannot work before anything is written.
"""
