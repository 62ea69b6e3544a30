"""What people did with the lab: the ledger, who may sign in, who is signed in. In SQLite or PostgreSQL, by URL.

No customer's data are ever in it: what is known of customers stands in the lake.
"""
