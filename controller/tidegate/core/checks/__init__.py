"""The rules of `validate`: each module declares rules, and holds the checks that find them broken.

`catalogue` lists both. A check gets what it looks at as plain data and yields faults. It sees only parts that have the
shape of the schema, and must do without every other part.
"""
