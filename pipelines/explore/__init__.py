"""What `pipelines.lab.Lab` offers to people who explore: questions in SQL, people, runs side by side, charts, practice.

One module a subject; each function is given an opened lab. Reading tables is `pipelines.lab`'s business, what numbers
mean is said in `models`, and the pictures of the report are drawn in `pipelines.report`.
"""
