;; A plugin that never ends.
(module (func (export "_start") (loop $again (br $again))))
