"""Model providers, tenant policies, budgets, plans and workflows."""
