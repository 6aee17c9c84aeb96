"""What AWS charges: its price lists, spot prices, and what has been committed to."""
