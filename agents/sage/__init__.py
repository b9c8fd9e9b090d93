"""The Sage 100 agent protocol: the Business Object Interface behind one HTTPS service."""
